"""The lab on the server: specs that are carried out point by point by processes of their own."""
