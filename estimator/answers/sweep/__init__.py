"""Every point of a product of any size, as rows; knows no answer but `estimate` and `compare`."""
