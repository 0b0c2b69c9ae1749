"""Random values that the published suite of onedatafilerestclient asks for."""

import random
import string


def random_int(lower_bound: int = 1, upper_bound: int = 100) -> int:
    """A number between two bounds, both included."""
    return random.randint(lower_bound, upper_bound)


def random_str(size: int = 20) -> str:
    """A file name."""
    return "".join(random.choices(string.ascii_letters + string.digits, k=size))


def random_bytes(size: int = 100) -> bytes:
    """A content."""
    return random.randbytes(size)


def random_path(depth: int = 3) -> str:
    """A path of names that nobody has used."""
    return "/".join(random_str() for _ in range(depth))
