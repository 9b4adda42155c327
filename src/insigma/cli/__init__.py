"""The command line: arguments in, exit codes and output out. The only place that prints."""
