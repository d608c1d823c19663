"""Every metric of Newsflow, named once. Prometheus reads them at `/metrics` of each worker process."""

from prometheus_client import Counter, Gauge, Histogram

ARTICLES = Counter("newsflow_articles", "Articles that left a stage, in committed transactions.", ["stage", "outcome"])
"""`outcome` is `enriched`, `dead` or `tombstone`."""
DEAD_LETTERS = Counter("newsflow_dead_letters", "Dead letters in committed transactions.", ["stage", "reason"])
ENRICH_SECONDS = Histogram(
    "newsflow_enrich_seconds",
    "Time that a stage's pure function took for one article.",
    ["stage"],
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
TRANSACTION_SECONDS = Histogram(
    "newsflow_transaction_seconds",
    "Time from the start of a transaction to its commit, enrichment not included.",
    ["stage"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
TAKEOVERS = Counter("newsflow_takeovers", "Partitions taken over (producer started, position re-read).", ["stage"])
ABANDONED = Counter(
    "newsflow_abandoned_batches", "Batches dropped because another worker owns the partition.", ["stage"]
)
PARTITIONS = Gauge("newsflow_assigned_partitions", "Partitions assigned to this process.")
