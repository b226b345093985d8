"""The comparison's parts: processes, the server, the rows, the statistics. benches/compare.py puts them together."""
