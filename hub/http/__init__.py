"""HTTP verbs: their declaration, routing, access, audit, answers and description."""
