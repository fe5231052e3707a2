"""The programs that write peers/ run in environments of their own, which have lmms-eval or VLMEvalKit."""

collect_ignore_glob = ["peers/write_*.py"]
