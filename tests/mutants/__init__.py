"""``make mutants``: whether the tests notice when the code of the core is changed."""
