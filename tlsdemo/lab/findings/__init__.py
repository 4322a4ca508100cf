"""Findings about stock Twisted and pyOpenSSL, each with a reproduction that runs now.

What tlsdemo itself does about them is elsewhere; here it is shown what there is to do something
about.  So nothing but Twisted, pyOpenSSL and the standard library is used, except for the
demonstration's certificates.
"""
