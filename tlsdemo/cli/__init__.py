"""The ``tlsdemo`` command, and what the twistd plugins share with it."""
