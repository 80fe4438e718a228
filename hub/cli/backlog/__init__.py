"""``hubbub check-backlog``: alerts of backlogs, for Nagios, Icinga and programs that run their plugins."""
