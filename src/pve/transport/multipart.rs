//! The body of an upload. Proxmox reads the fields in one order only: `content`, `checksum-algorithm`, `checksum`, and
//! last the file, which must be called `filename` (pve-http-server `AnyEvent.pm:1316-1333`). It is sent whole, with its
//! length: chunks are refused.

use super::File;

impl File {
    /// Content type and body.
    pub(crate) fn form(&self, params: &[(String, String)]) -> (String, Vec<u8>) {
        let boundary = boundary(&self.bytes);
        let mut body = Vec::with_capacity(self.bytes.len() + 1_024);
        for (name, value) in params {
            let part = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"{}\"\r\nContent-Type: \
             application/octet-stream\r\n\r\n",
            self.name
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&self.bytes);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), body)
    }
}

/// A line that doesn't stand in the file.
fn boundary(bytes: &[u8]) -> String {
    let mut boundary = "morpheus-4f0c1d9a7e".to_owned();
    while bytes.windows(boundary.len()).any(|window| window == boundary.as_bytes()) {
        boundary.push('x');
    }
    boundary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_comes_last_and_never_holds_the_boundary() {
        let bytes: std::sync::Arc<[u8]> = b"--morpheus-4f0c1d9a7e--".as_slice().into();
        let file = File { name: "seed.iso".into(), bytes };
        let params = [("content", "iso"), ("checksum-algorithm", "sha256"), ("checksum", "00")];
        let params: Vec<_> = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let (kind, body) = file.form(&params);
        assert_eq!(kind, "multipart/form-data; boundary=morpheus-4f0c1d9a7ex");
        let text = String::from_utf8(body).unwrap();
        let names: Vec<&str> = text.split("name=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(names, ["content", "checksum-algorithm", "checksum", "filename", "seed.iso"]);
        assert!(text.ends_with("\r\n\r\n--morpheus-4f0c1d9a7e--\r\n--morpheus-4f0c1d9a7ex--\r\n"), "{text}");
    }
}
