"""Private servers, penstock, workloads and the comparer for the system tests, the demo and the
benchmark. Shares no code with src/; needs only Debian's python3-pymysql and python3-yaml."""
