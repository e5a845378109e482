package org.authservice.audit;

import org.authservice.http.Client;
import org.authservice.secret.Hmac;
import org.authservice.secret.Keyring;

/**
 * Vouches for what is personal of an event, and goes on telling nothing of it when that has been
 * wiped: without the random request id, which is wiped too, the code cannot be guessed back.
 */
record Personal(Hmac hmac) {
  static Personal under(Keyring keyring) {
    return new Personal(keyring.lookup("personal part of an event"));
  }

  String of(String id, Client client) {
    return hmac.over(id, client.address(), client.userAgent(), client.requestId());
  }

  String of(SealStore.Sealed event) {
    return hmac.over(event.id(), event.address(), event.userAgent(), event.requestId());
  }
}
