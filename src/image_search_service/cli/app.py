"""The command ``image-search``: each command parses its options, calls a service and shows the answer."""

from __future__ import annotations

import typer

from image_search_service.cli import (
    backup,
    bench,
    calibrate,
    decisions,
    demo,
    doctor,
    evaluate,
    exchange,
    faces,
    history,
    index,
    info,
    metadata,
    models,
    people,
    person_decisions,
    serve,
    suggest,
    why,
)

app = typer.Typer(
    name="image-search",
    help="Finds the people in a photo library and helps you name them. Everything stays on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=True,
)
app.command("index")(index.index)
app.command("cluster")(index.cluster)
app.command("assign")(index.assign)
app.command("people")(people.people)
app.command("name")(people.name)
app.command("faces")(faces.faces)
app.command("photos")(people.photos)
app.command("suggest")(suggest.suggest)
app.command("why")(why.why)
app.command("accept")(decisions.accept)
app.command("reject")(decisions.reject)
app.command("give")(person_decisions.give)
app.command("unassign")(decisions.unassign)
app.command("group")(person_decisions.group)
app.command("not-a-face")(person_decisions.not_a_face)
app.command("create")(person_decisions.create)
app.command("hide")(person_decisions.hide)
app.command("unhide")(person_decisions.unhide)
app.command("born")(person_decisions.born)
app.command("cover")(person_decisions.cover)
app.command("pin")(person_decisions.pin)
app.command("different")(person_decisions.different)
app.command("merge")(decisions.merge)
app.command("rename")(decisions.rename)
app.command("history")(history.history)
app.command("undo")(history.undo)
app.command("rebuild")(history.rebuild)
app.command("conflicts")(decisions.conflicts)
app.command("export")(exchange.export)
app.command("import")(exchange.load)
app.command("evaluate")(evaluate.evaluate)
app.command("calibrate")(calibrate.calibrate)
app.add_typer(bench.app, name="bench")
app.add_typer(metadata.app, name="metadata")
app.add_typer(models.app, name="models")
app.command("demo")(demo.demo)
app.command("info")(info.info)
app.command("doctor")(doctor.doctor)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("serve")(serve.serve)
app.command("worker")(serve.worker)


def main() -> None:
    """Entry point of the console script."""
    app(prog_name="image-search")


if __name__ == "__main__":
    main()
