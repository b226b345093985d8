"""What the scripts of benches/ are made of: commands, processes, servers, rows, lanes, statistics."""
