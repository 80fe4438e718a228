"""``hubbub fsck``: a store that no hub uses is checked, repaired, and saved as far as it can be read."""
