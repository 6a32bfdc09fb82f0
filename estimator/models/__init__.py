"""What a network is: its parts, parameters and FLOPs; knows no devices, layouts or time."""
