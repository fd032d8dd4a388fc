use super::*;
use crate::domain::{
    doctor::Looked,
    plant::{site::Volume, testing},
};

#[test]
fn the_language_of_windows_is_that_of_its_image() {
    let table = [
        ("local:iso/Win11_25H2_English_x64.iso", "en-US"),
        ("local:iso/Win11_24H2_EnglishInternational_x64v2.iso", "en-GB"),
        ("Syno-NFS:iso/Win11_24H2_German_x64 (1).iso", "de-DE"),
        ("nas:iso/de-de_windows_11_consumer_editions_version_24h2_x64_dvd_1a2b.iso", "de-DE"),
        ("nas:iso/pt-br_windows_11_business_editions_x64.iso", "pt-BR"),
        ("local:iso/Win11_24H2_Chinese_Traditional_x64.iso", "zh-TW"),
        ("local:iso/Win11_24H2_FrenchCanadian_x64.iso", "fr-CA"),
        ("https://example.org/Win11_24H2_Spanish_Mexico_x64.iso", "es-MX"),
        ("local:iso/win11_nl-NL.iso", "nl-NL"),
        ("local:iso/win11.iso", "en-US"),
        ("", "en-US"),
    ];
    for (iso, language) in table {
        let mut form = Form::default().with(Key::WindowsIso, iso);
        fill(&mut form, &Hints::default(), &testing::site());
        let expected = if iso.is_empty() { "en-US" } else { language };
        assert_eq!(form.get(Key::WindowsLanguage), expected, "{iso}");
    }
    let mut said = Form::default().with(Key::WindowsIso, table[2].0).with(Key::WindowsLanguage, "en-US");
    fill(&mut said, &Hints::default(), &testing::site());
    assert_eq!(said.get(Key::WindowsLanguage), "en-US", "what a person says stays");
}

#[test]
fn an_image_whose_name_begins_with_its_language_is_found() {
    let mut site = testing::site();
    let volid = "nas:iso/de-de_windows_11_consumer_editions_version_24h2_x64_dvd_1a2b.iso";
    site.volumes = Looked::At(vec![Volume { volid: volid.to_owned(), content: "iso".to_owned(), size: 1 }]);
    let mut form = Form::default();
    fill(&mut form, &Hints::default(), &site);
    let of = |key: Key| form.get(key);
    assert_eq!((of(Key::WindowsIso), of(Key::WindowsWanted)), (volid, "yes"));
    assert_eq!(of(Key::WindowsLanguage), "de-DE");
}

#[test]
fn the_mapping_is_that_of_the_card_that_was_said() {
    let mapping = |site: &Site, card: &str| {
        let mut form = Form::default().with(Key::GpuCard, card);
        fill(&mut form, &Hints { card: "0000:01:00".parse().ok(), ..Hints::default() }, site);
        (form.get(Key::GpuCard).to_owned(), form.get(Key::GpuMapping).to_owned())
    };
    let said = |card: &str, mapping: &str| (card.to_owned(), mapping.to_owned());
    // Two cards: each has the name that `gpu map create` would give it.
    assert_eq!(mapping(&testing::site(), "0000:07:00"), said("0000:07:00", "gpu1"));
    assert_eq!(mapping(&testing::site(), ""), said("0000:01:00", "gpu0"));
    assert_eq!(mapping(&testing::apu(), "0000:01:00"), said("0000:01:00", "igpu"));
}

#[test]
fn whether_windows_is_wanted_isnt_guessed_while_no_image_can_be_seen() {
    let wanted = |site: &Site| {
        let mut form = Form::default();
        fill(&mut form, &Hints::default(), site);
        form.get(Key::WindowsWanted).to_owned()
    };
    let mut site = testing::site();
    assert_eq!(wanted(&site), "yes");
    site.volumes = Looked::At(vec![]);
    assert_eq!(wanted(&site), "no");
    site.storages = Looked::At(vec![]);
    assert_eq!(wanted(&site), "");
}
