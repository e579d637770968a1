"""An OpenID Connect provider, by https://openid.net/specs/openid-connect-core-1_0.html (authorization code flow).

Needs the extra `oidc`; nothing imports this package unless the settings name a provider.
"""
