"""Where somebody goes who has signed in. Pure."""


def own_path(path: str | None) -> str | None:
    """Return the path if every browser takes it for one of this site's, else None.

    To browsers, "//host" is another site, also with a backslash or a line break in between.
    """
    if not path or not path.startswith("/") or path.startswith("//"):
        return None
    return path if path.isprintable() and "\\" not in path else None
