"""USB tokens and other PKCS#11 modules: `open_signer("pkcs11:token=HR")`."""
