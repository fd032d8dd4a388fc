use super::*;

fn made(files: &[File]) -> Vec<(String, Vec<u8>)> {
    super::files(&build("CIDATA", files).unwrap()).unwrap()
}

fn file(path: &str, text: &str) -> File {
    File::new(path, text, "")
}

#[test]
fn what_is_written_is_read_back_under_its_long_names() {
    let long = format!("$OEM$/$1/morpheus/{}.ps1", "n".repeat(60));
    let given = [
        file("user-data", "#cloud-config\n"),
        file("meta-data", ""),
        file(&long, &"x".repeat(5_000)),
        file("$OEM$/$1/morpheus/größe.txt", "ü"),
        file("$OEM$/$1/a", "a"),
    ];
    let mut wanted: Vec<(String, Vec<u8>)> =
        given.iter().map(|file| (file.path.clone(), file.text.clone().into_bytes())).collect();
    wanted.sort();
    assert_eq!(made(&given), wanted);
}

#[test]
fn a_directory_of_several_blocks_keeps_every_file() {
    let given: Vec<File> =
        (0..200).map(|n| file(&format!("dir/a-file-with-a-long-name-{n:04}"), &n.to_string())).collect();
    let read = made(&given);
    assert_eq!(read.len(), 200);
    assert!(read.iter().zip(&given).all(|((path, text), file)| *path == file.path && *text == file.text.as_bytes()));
}

#[test]
fn the_same_files_give_the_same_whole_blocks() {
    let given = [file("a", "1"), file("b/c", "2")];
    let image = build("SEED", &given).unwrap();
    assert_eq!(image, build("SEED", &given).unwrap());
    assert_eq!(image.len() % BLOCK, 0);
    assert_eq!(image.get(0x8028..0x802c), Some(b"SEED".as_slice()));
    // The volume says how long it is (8.4.8).
    let blocks = u32::try_from(image.len() / BLOCK).unwrap();
    assert_eq!(image.get(0x8050..0x8054), Some(blocks.to_le_bytes().as_slice()));
}

#[test]
fn short_names_differ_where_long_ones_begin_alike() {
    let image =
        build("SEED", &[file("network-config", ""), file("network-other", ""), file("network-third.d", "")]).unwrap();
    for name in ["NETWORK_.;1", "NETWORK1.;1", "NETWORK_.D;1"] {
        assert!(image.windows(name.len()).any(|part| part == name.as_bytes()), "{name}");
    }
}

#[test]
fn what_no_disc_can_have_is_refused() {
    let refused = |path: &str| build("SEED", &[file(path, "")]).unwrap_err();
    for bad in ["", "/absolute", "a//b", "a/../b", "a:b", "a\\b", "a?", "\u{1f332}", "tab\tbed"] {
        assert!(matches!(refused(bad), BadIso::Name(_)), "{bad:?}");
    }
    assert!(matches!(refused(&"n".repeat(65)), BadIso::Name(_)));
    assert!(matches!(refused("1/2/3/4/5/6/7/8/9"), BadIso::Deep(_)));
    for label in ["", "cidata", "A LABEL", "SEVENTEEN_LETTERS"] {
        assert_eq!(build(label, &[]), Err(BadIso::Label(label.to_owned())));
    }
    for (one, other) in [("a", "A"), ("a", "a"), ("dir/x", "Dir/y"), ("dir", "dir/x"), ("dir/x", "DIR")] {
        assert!(matches!(build("SEED", &[file(one, ""), file(other, "")]), Err(BadIso::Twice(_))), "{one} {other}");
    }
}

#[test]
fn a_broken_image_is_none() {
    let image = build("SEED", &[file("dir/a", &"text".repeat(2_000))]).unwrap();
    assert_eq!(super::files(&[]), None);
    for length in [0x8000, 0x9000, image.len() - BLOCK] {
        assert_eq!(super::files(&image[..length]), None, "{length}");
    }
    assert_eq!(made(&[]), []);
}
