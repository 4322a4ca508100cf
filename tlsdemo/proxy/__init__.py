"""The server: secures what it accepts, hands the cleartext on, counts and logs."""
