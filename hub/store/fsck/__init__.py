"""``hubbub fsck``: checks a store that no hub uses, and repairs it by writing a new one."""
