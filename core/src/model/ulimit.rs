//! The limits of a process, as a person writes them.

/// The soft and the hard value of a limit. -1 stands for no limit.
///
/// # Errors
/// The text is neither a number nor two numbers with a colon between them.
pub fn ulimit(text: &str) -> Result<(i64, i64), String> {
    let number = |text: &str| text.trim().parse::<i64>().ok().filter(|number| *number >= -1);
    let pair = match text.split_once(':') {
        Some((soft, hard)) => number(soft).zip(number(hard)),
        None => number(text).map(|both| (both, both)),
    };
    pair.ok_or_else(|| "is no limit: it is one number, or SOFT:HARD, such as \"1024:65536\"".to_owned())
}
