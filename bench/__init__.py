"""The proxies side by side: what each needs of the CPU for the same load, on this machine."""
