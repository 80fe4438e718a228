def greeting(word: str, name: str) -> str:
    """The words for somebody."""
    return f"{word}, {name}"
