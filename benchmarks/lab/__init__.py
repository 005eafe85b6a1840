"""What benchmarks share: documents, contenders, processes of their own, turns."""
