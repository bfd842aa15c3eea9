"""polars_peer.py QUERY json|csv -- one query on Polars; folder DATA, file OUT, THREADS from the environment.

Prices are doubles, as in its fastest use."""
import os
import sys

os.environ["POLARS_MAX_THREADS"] = os.environ.get("THREADS", "1")
import polars as pl  # noqa: E402  the variable above must be set first

query, form = sys.argv[1], sys.argv[2]
data, out = os.environ["DATA"], os.environ["OUT"]
schema = {"trade_id": pl.Int64, "symbol": pl.String, "price": pl.Float64, "quantity": pl.Int64,
          "side": pl.String, "account": pl.String, "event_time": pl.Int64}
if form == "json":
    trades = pl.scan_ndjson(f"{data}/trades.jsonl", schema=schema)
else:
    trades = pl.scan_csv(f"{data}/trades.csv", schema=schema)
c = pl.col
kept = ["trade_id", "symbol", "price"]


def run():
    if query == "S1":
        return trades.select(kept)
    if query == "S2":
        return trades.filter(c("price") > 500).select(kept)
    if query == "S3":
        wanted = (c("price") > 100) & (c("quantity") < 500) & (c("side") == "BUY")
        return trades.filter(wanted).select(kept)
    if query == "S4":
        return trades.group_by("symbol").agg(
            pl.len().alias("n"), (c("price") * c("quantity")).sum().alias("notional"),
            c("price").mean().alias("average"))
    if query == "S5":
        started = (c("event_time") // 60000 * 60000).alias("started")
        return trades.group_by("symbol", started).agg(
            pl.len().alias("n"), c("quantity").sum(), c("price").mean().alias("average"))
    if query == "S6":
        return trades.sort("event_time", maintain_order=True).select(
            *kept, c("price").shift(1).over("symbol").alias("previous"),
            c("price").cum_count().over("symbol").alias("number"))
    if query == "S7":
        symbols = pl.scan_csv(f"{data}/symbols.csv")
        return trades.join(symbols, on="symbol").group_by("sector").agg(c("quantity").sum())
    raise SystemExit(f"no query '{query}'")


if form == "json":
    run().sink_ndjson(out, engine="streaming")
else:
    run().sink_csv(out, engine="streaming")
