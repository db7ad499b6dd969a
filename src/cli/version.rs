//! Versions in texts for people. A digest is cut, and the tag that was asked for stands beside it.

/// The characters of a digest that are shown. The engine's own commands show as many.
const SHOWN: usize = 12;
const PREFIX: &str = "sha256:";

/// A version for people. Of a digest 12 characters are shown, behind the tag that was asked for.
pub(super) fn short(version: &str, image: Option<&str>) -> String {
    let cut = cut(version);
    if cut == version || !version.starts_with(PREFIX) {
        return cut;
    }
    let name = image.map(|image| image.split('@').next().unwrap_or(image));
    let tag = name.and_then(|name| name.rsplit('/').next()?.split_once(':')).map(|(_, tag)| tag);
    tag.map_or_else(|| cut.clone(), |tag| format!("{tag} ({cut})"))
}

/// A text whose digests are cut to 12 characters each.
pub(super) fn cut(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(PREFIX) {
        let (before, from) = rest.split_at(at + PREFIX.len());
        let digits = from.bytes().take_while(u8::is_ascii_hexdigit).count();
        short.push_str(before);
        short.push_str(&from[..digits.min(SHOWN)]);
        rest = &from[digits..];
    }
    short.push_str(rest);
    short
}
