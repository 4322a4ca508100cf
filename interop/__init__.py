"""Real foreign clients and servers, on the loopback interface; see README.md."""
