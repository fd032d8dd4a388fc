//! Percent-encoding. Proxmox's form decoder splits fields on `;` as well as `&` and cuts a value at a raw second `=`
//! (pve-http-server `AnyEvent.pm:890-921`), so everything that isn't unreserved is encoded, everywhere.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Display;

/// RFC 3986's unreserved characters stay as they are.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value or path segment, encoded.
pub(crate) fn encode(value: impl Display) -> String {
    utf8_percent_encode(&value.to_string(), KEPT).to_string()
}

/// Parameters as a query or form body.
pub(crate) fn join(params: &[(String, String)]) -> String {
    let pairs: Vec<String> = params.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_the_form_decoder_would_split_goes_out_raw() {
        assert_eq!(
            encode("UPID:pve:0:1:2:qmstart:101:root@pam!t:"),
            "UPID%3Apve%3A0%3A1%3A2%3Aqmstart%3A101%3Aroot%40pam%21t%3A"
        );
        let params =
            [("hostpci0", "mapping=gpu0;x&y"), ("command", "a b+ü")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(join(&params), "hostpci0=mapping%3Dgpu0%3Bx%26y&command=a%20b%2B%C3%BC");
    }
}
