"""How a call arrives though an upstream fails: several deployments, retries, fallbacks, cooldowns.

`verdict` says what an error means, `lane` what is known of one deployment with one key, `fleet`
which of them is used, `course` what comes after a failure, and `dispatcher` does it.
"""
