"""``hubbub check-backlog``: the backlogs, for nagios, Icinga and what speaks as they do."""
