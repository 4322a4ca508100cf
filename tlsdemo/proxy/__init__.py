"""The server: secures the connections it accepts, passes the cleartext on, counts and logs."""
