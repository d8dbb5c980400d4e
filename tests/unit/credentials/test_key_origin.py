from harness.credentials import KeyOrigin


def test_each_way_says_where_the_key_was_exposed():
    assert [origin.value for origin in KeyOrigin] == ["device", "host", "cloud", "claim"]
    assert KeyOrigin("device").security == "more secure: private key made on the device, never left it"
    assert KeyOrigin("host").security == (
        "less secure: private key made on this computer, exposed in its memory and on the serial line"
    )
    assert KeyOrigin("cloud").security == (
        "less secure: private key made by nRF Cloud, exposed on the way through HTTPS, this computer's memory and the "
        "serial line"
    )
    assert KeyOrigin("claim").security == (
        "more secure: private key made on the device, never left it; ordered by the provisioning service"
    )


def test_a_key_of_the_device_exists_nowhere_else():
    assert [origin.on_device for origin in KeyOrigin] == [True, False, False, True]
