//! `${VAR}` in strings.

use super::locate::Env;
use crate::domain::text;

/// Replaces every `${VAR}` by the environment's value. `$${` stands for a literal `${`; any other `$` is itself. What
/// comes from the environment isn't looked through again.
///
/// # Errors
/// A variable isn't set or isn't UTF-8, a `${` has no end or no proper name in it; in words that name the variable.
pub(super) fn interpolate(text: &str, env: &Env) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, reference) = rest.split_at(start);
        if let Some(literal) = before.strip_suffix('$') {
            out.push_str(literal);
            out.push_str("${");
            rest = reference.get(2..).unwrap_or_default();
            continue;
        }
        out.push_str(before);
        let inner = reference.get(2..).unwrap_or_default();
        let Some((name, after)) = inner.split_once('}') else {
            return Err("a '${' has no '}'; for a literal '${' write '$${'".to_owned());
        };
        if !is_name(name) {
            return Err(
                "what stands between '${' and '}' is not a variable's name; for a literal '${' write '$${'".to_owned()
            );
        }
        out.push_str(lookup(name, env)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Whether the text takes anything from the environment.
pub(super) fn has_reference(text: &str) -> bool {
    text.replace("$${", "").contains("${")
}

fn is_name(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn lookup<'a>(name: &str, env: &'a Env) -> Result<&'a str, String> {
    if let Some(value) = env.vars.get(name) {
        return value.to_str().ok_or_else(|| format!("the environment variable {name} is not UTF-8"));
    }
    let near = text::nearest(name, env.vars.keys().map(String::as_str));
    let hint = near.map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    Err(format!("the environment variable {name} is not set{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> Result<String, String> {
        let vars = [("A", "1"), ("LONG_NAME", "${A}"), ("E", "")];
        let vars = vars.map(|(key, value)| (key.to_owned(), value.into())).into();
        interpolate(text, &Env { vars, ..Env::default() })
    }

    #[test]
    fn references_are_replaced_once_and_dollars_stay() {
        assert_eq!(run("x${A}y${A}").unwrap(), "x1y1");
        assert_eq!(run("${LONG_NAME}${E}").unwrap(), "${A}");
        assert_eq!(run("$5 $A $$ $").unwrap(), "$5 $A $$ $");
        assert_eq!(run("$${A} $$${A}").unwrap(), "${A} $${A}");
        assert!(!has_reference("$${A} $x") && has_reference("x${A}"));
    }

    #[test]
    fn what_cannot_be_replaced_is_said() {
        let unset = "the environment variable LONG_NAM is not set (did you mean LONG_NAME?)";
        assert_eq!(run("${LONG_NAM}").unwrap_err(), unset);
        assert_eq!(run("${NOPE}").unwrap_err(), "the environment variable NOPE is not set");
        assert!(run("${A").unwrap_err().starts_with("a '${' has no '}'"));
        assert!(run("${A:-x}").unwrap_err().contains("not a variable's name"));
    }
}
