//! Which file imports which: the `use` declarations of every product file, each followed through
//! `pub use` to the file that defines what it names. Sets of files that reach each other are circles:
//! none of their files can be understood, or tested, without the others.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::Visit;
use syn::{Item, ItemUse, UseTree, Visibility};

use super::source::Source;

/// The crate of a file and its module path: `["core", "release", "step"]`, `["main", "cli", "wait"]`.
pub(super) type Module = Vec<String>;

/// One leaf of a `use` declaration.
#[derive(Clone, Debug)]
struct Import {
    /// As written, split at `::`; `*` stands for a glob.
    path: Vec<String>,
    /// The name that it brings into the module.
    name: String,
    is_reexport: bool,
}

/// A file, its imports and the names that it defines.
#[derive(Debug)]
struct Node {
    path: String,
    imports: Vec<Import>,
}

#[derive(Debug)]
pub(super) struct Graph {
    modules: BTreeMap<Module, Node>,
}

/// Modules of the crate `greenlight-core`, which `greenlight` shows under its own name.
fn crate_of(path: &str) -> Option<(&'static str, &str)> {
    path.strip_prefix("core/src/")
        .map(|inside| ("core", inside))
        .or_else(|| path.strip_prefix("src/").map(|inside| ("main", inside)))
}

fn module_of(path: &str) -> Option<Module> {
    let (krate, inside) = crate_of(path)?;
    let mut parts: Module = inside.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts.insert(0, krate.to_owned());
    Some(parts)
}

#[derive(Default)]
struct Uses(Vec<Import>);

impl<'ast> Visit<'ast> for Uses {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        leaves(&item.tree, &mut Vec::new(), is_reexport, &mut self.0);
    }
}

fn leaves(tree: &UseTree, before: &mut Vec<String>, is_reexport: bool, found: &mut Vec<Import>) {
    let mut leaf = |path: Vec<String>, name: String| found.push(Import { path, name, is_reexport });
    match tree {
        UseTree::Path(part) => {
            before.push(part.ident.to_string());
            leaves(&part.tree, before, is_reexport, found);
            before.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                leaves(tree, before, is_reexport, found);
            }
        }
        UseTree::Name(name) if name.ident == "self" => {
            leaf(before.clone(), before.last().cloned().unwrap_or_default());
        }
        UseTree::Name(name) => {
            leaf([before.as_slice(), &[name.ident.to_string()]].concat(), name.ident.to_string());
        }
        UseTree::Rename(name) => {
            let ident = name.ident.to_string();
            let path = if ident == "self" { before.clone() } else { [before.as_slice(), &[ident]].concat() };
            leaf(path, name.rename.to_string());
        }
        UseTree::Glob(_) => leaf([before.as_slice(), &["*".to_owned()]].concat(), "*".to_owned()),
    }
}

impl Graph {
    /// Of the product's sources; tests are left out.
    pub(super) fn of(sources: &[Source]) -> Self {
        let mut modules = BTreeMap::new();
        for source in sources.iter().filter(|source| !source.is_test) {
            let Some(module) = module_of(&source.path) else { continue };
            let file =
                syn::parse_file(&source.text).unwrap_or_else(|fault| panic!("{}: {fault}", source.path));
            let mut uses = Uses::default();
            uses.visit_file(&file);
            modules.insert(module, Node { path: source.path.clone(), imports: uses.0 });
        }
        Self { modules }
    }

    /// The absolute path that is meant by `path` in `module`; none for other crates.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let krate = &module[..1];
        let first = path.first()?.as_str();
        let absolute = match first {
            "crate" => [krate, &path[1..]].concat(),
            "self" => [module, &path[1..]].concat(),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                [&module[..module.len().saturating_sub(ups).max(1)], &path[ups..]].concat()
            }
            "greenlight_core" => [&["core".to_owned()], &path[1..]].concat(),
            _ => {
                let child = [module.as_slice(), &path[..1]].concat();
                self.modules.contains_key(&child).then(|| [module.as_slice(), path].concat())?
            }
        };
        Some(absolute)
    }

    /// The module whose file defines what an absolute path names.
    fn target(&self, absolute: &Module, depth: usize) -> Option<&Module> {
        let shared = self.shared(absolute);
        let absolute = shared.as_ref().unwrap_or(absolute);
        let longest = (1..=absolute.len()).rev().find(|n| self.modules.contains_key(&absolute[..*n]))?;
        let (module, node) = self.modules.get_key_value(&absolute[..longest])?;
        let Some(name) = absolute.get(longest) else { return Some(module) };
        let reexport = node.imports.iter().find(|import| import.is_reexport && import.name == *name);
        match reexport {
            Some(import) if depth < 8 => {
                let next = self.absolute(module, &import.path)?;
                self.target(&next, depth + 1)
            }
            _ => Some(module),
        }
    }

    /// `crate::model` in `greenlight` is `greenlight_core::model`.
    fn shared(&self, absolute: &Module) -> Option<Module> {
        let in_core = [&["core".to_owned()], absolute.get(1..2)?].concat();
        (absolute[0] == "main"
            && !self.modules.contains_key(&absolute[..2])
            && self.modules.contains_key(&in_core))
        .then(|| [&["core".to_owned()], &absolute[1..]].concat())
    }

    /// Each file with the files that it imports from.
    pub(super) fn edges(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (module, node) in &self.modules {
            let targets = edges.entry(&node.path).or_default();
            // The door of a folder shows its parts; it does not depend on them.
            for import in node.imports.iter().filter(|import| !import.is_reexport) {
                let Some(absolute) = self.absolute(module, &import.path) else { continue };
                let Some(target) = self.target(&absolute, 0) else { continue };
                let path = self.modules[target].path.as_str();
                if path != node.path {
                    targets.insert(path);
                }
            }
        }
        edges
    }

    /// Every set of two or more files that reach each other, the largest first.
    pub(super) fn circles(&self) -> Vec<BTreeSet<String>> {
        let edges = self.edges();
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            edges.keys().map(|from| (*from, reach(&edges, from))).collect();
        let mut circles = Vec::new();
        let mut seen = BTreeSet::new();
        for from in edges.keys() {
            let circle: BTreeSet<String> = reached[from]
                .iter()
                .filter(|to| reached.get(*to).is_some_and(|back| back.contains(from)))
                .map(|to| (*to).to_owned())
                .collect();
            if circle.len() > 1 && seen.insert(circle.clone()) {
                circles.push(circle);
            }
        }
        circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
        circles
    }
}

fn reach<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&str> = edges.get(from).into_iter().flatten().copied().collect();
    while let Some(path) = next.pop() {
        if found.insert(path) {
            next.extend(edges.get(path).into_iter().flatten().copied());
        }
    }
    found
}

/// Names that a file defines with `pub`, at its top or in an `impl` block of a type of ours.
pub(super) fn public_names(text: &str) -> BTreeSet<String> {
    let Ok(file) = syn::parse_file(text) else { return BTreeSet::new() };
    let mut names = BTreeSet::new();
    for item in &file.items {
        let (vis, ident) = match item {
            Item::Fn(item) => (&item.vis, &item.sig.ident),
            Item::Struct(item) => (&item.vis, &item.ident),
            Item::Enum(item) => (&item.vis, &item.ident),
            Item::Trait(item) => (&item.vis, &item.ident),
            Item::Type(item) => (&item.vis, &item.ident),
            Item::Const(item) => (&item.vis, &item.ident),
            Item::Static(item) => (&item.vis, &item.ident),
            Item::Impl(item) if item.trait_.is_none() => {
                names.extend(item.items.iter().filter_map(|inner| match inner {
                    syn::ImplItem::Fn(inner) if is_public(&inner.vis) => Some(inner.sig.ident.to_string()),
                    syn::ImplItem::Const(inner) if is_public(&inner.vis) => Some(inner.ident.to_string()),
                    _ => None,
                }));
                continue;
            }
            _ => continue,
        };
        if is_public(vis) {
            names.insert(ident.to_string());
        }
    }
    names
}

/// `pub` alone: what is `pub(crate)` the compiler itself reports when nothing uses it.
fn is_public(vis: &Visibility) -> bool {
    matches!(vis, Visibility::Public(_))
}
