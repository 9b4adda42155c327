"""The packager of Splunk: <slug>.spl, <slug>.conf and savedsearches.conf of a pack, and the app of a tenant."""

from __future__ import annotations

from collections.abc import Sequence

from insigma.content.model import Header, TargetMapping
from insigma.packages.base import Files, PackContext, Packed
from insigma.packages.splunk import enterprise
from insigma.packages.splunk.app import app_id, app_version, enterprise_security, frame_files, label
from insigma.packages.splunk.archive import tar_gz
from insigma.packages.splunk.catalogue import catalogue
from insigma.packages.splunk.dashboard import view_files
from insigma.packages.splunk.lookups import lookup_files
from insigma.packages.splunk.readme import readme
from insigma.packages.splunk.savedsearches import savedsearch, savedsearches, scheduled
from insigma.targets.base import Detection


class SplunkPackager:
    """Writes below dist/splunk/. `mapping` says under which names Splunk stores the entities of an alert."""

    def __init__(self, context: PackContext, mapping: TargetMapping | None = None) -> None:
        self._context = context
        self._mapping = mapping

    def rule_files(self, header: Header, detection: Detection) -> Files:
        return {
            f"splunk/rules/{header.slug}.spl": f"{detection.query}\n",
            f"splunk/rules/{header.slug}.conf": self.native(header, detection),
        }

    def native(self, header: Header, detection: Detection) -> str:
        return savedsearch(header, detection, self._context)

    def bundle(self, packed: Sequence[Packed]) -> Files:
        return {"splunk/savedsearches.conf": savedsearches([self.native(entry.header, entry.detection) for entry in packed])}

    def package(self, packed: Sequence[Packed]) -> Files:
        """The app: its files under splunk/<app>/, and the same in splunk/<app>-<version>.tar.gz. Raises `Refused`."""
        app = app_id(self._context)
        files = {f"{app}/{path}": text for path, text in self._app_files(app, packed).items()}
        archive = {f"splunk/{app}-{app_version(self._context)}.tar.gz": tar_gz(files)}
        return {f"splunk/{path}": files[path] for path in sorted(files)} | archive

    def _app_files(self, app: str, packed: Sequence[Packed]) -> Files:
        context = self._context
        return {
            "default/savedsearches.conf": savedsearches([self._stanza(entry) for entry in packed]),
            **frame_files(context),
            **lookup_files((*context.tables, catalogue(packed, context))),
            **view_files(app, label(context), context.tables),
            "README.md": readme(packed, context, self._mapping),
        }

    def _stanza(self, entry: Packed) -> str:
        runs = scheduled(entry.header, enabled=entry.enabled)
        actions = (
            enterprise.actions(entry.header, entry.detection, self._context, self._mapping)
            if runs and enterprise_security(self._context)
            else {}
        )
        return savedsearch(entry.header, entry.detection, self._context, enabled=entry.enabled, actions=actions)
