"""The one door for browsers: pages, sign-in, proxies, overlay sound."""
