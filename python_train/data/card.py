"""The card of a data set: what a user must know before training on it, from the report of its curation."""

from typing import Any


def dataset_card(report: dict[str, Any]) -> str:
    """Markdown."""
    game, (height, width) = report["game"], report["size"]
    splits = "\n".join(
        f"| {name} | {part['episodes']} | {part['frames']:,} |" for name, part in report["splits"].items()
    )
    removed = "\n".join(f"| {name} | {share:.3%} |" for name, share in report["removed"].items())
    shares = "\n".join(
        f"| {name}: {bin} | {share:.1%} | {report['histograms']['drawn'][name][bin]:.1%} |"
        for name in ("near wall", "transition")
        for bin, share in report["histograms"]["recorded"][name].items()
    )
    return f"""# Data set card

{report["frames"]:,} frames of {width}x{height} at {report["fps"]} a second in {report["episodes"]} episodes of ViZDoom's
`{game.get("scenario", "unknown")}`, with the buttons held ({", ".join(report["buttons"])}), depth, position, angle, health and
the game's clock (35 tics a second) of each. Recorded by the policies {", ".join(report["policies"])}, seeds
{", ".join(map(str, report["seeds"]))}; an episode is a function of its seed and index, so the set can be made again. It shows
one small map in which nothing moves and nobody is seen; a model of it knows no other.

Coverage: {report["coverage"]["cells"]} cells of 64x64 map units, {report["coverage"]["states"]} cells with headings of 45 degrees.

| split (by a hash of the episode) | episodes | frames |
|---|---|---|
{splits}

| filter | frames removed |
|---|---|
{removed}

Thresholds: {", ".join(f"{name} {value:g}" for name, value in report["filters"].items())}. Examples: removed_FILTER.png.

| property | recorded | drawn |
|---|---|---|
{shares}

Balanced over position, heading, near wall and transition (histograms.png); drawing by these weights is worth
{report["effective_frames"]:,.0f} frames drawn evenly.
"""
