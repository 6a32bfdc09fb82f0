"""The only conversions: SI factors, and quantities as people write them."""

KILO, MEGA, GIGA, TERA, PETA = 1e3, 1e6, 1e9, 1e12, 1e15
GIBI = 2.0**30
BITS_PER_BYTE = 8
