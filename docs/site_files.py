"""Which files of the repository are on the site: a hook of mkdocs.yml.

They lie there as they lie in the repository, so that one link holds on the site and in a clone.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
# Pages, and what they link to.
PATTERNS = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "RELEASING.md", "SECURITY.md"),
    *("LICENSE", "CITATION.cff", "docs/*.md", "docs/images/*", "benchmarks/*.md", "config/*"),
    *("examples/*", "profiles/*/README.md", "plugins/*/README.md"),
)
# What a browser would fetch by itself, from another place than the site.
FETCHED = re.compile(
    r'<(?:script|link|img|source|iframe)\b[^>]*\b(?:src|href)="?(?:https?:)?//[^">]+'
)


@event_priority(100)  # before the plugins, which are to see these files
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The theme's files, and those of the repository in place of what lies in docs/ alone."""
    for file in list(files):
        if file.src_dir == config.docs_dir:
            files.remove(file)
    for path in sorted({path for pattern in PATTERNS for path in ROOT.glob(pattern)}):
        if path.is_file():
            name = path.relative_to(ROOT).as_posix()
            files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))
    return files


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """A page as it is; one that needs a network is refused."""
    if found := FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri}: fetches from elsewhere: {found[0]}")
    return output
