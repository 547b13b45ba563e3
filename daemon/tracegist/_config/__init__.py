"""The parts behind :mod:`tracegist.config`: the units, the folders, the shape, the loading and the showing."""
