"""The truth about events: real connections, one for each way it can go, seen on both ends."""
