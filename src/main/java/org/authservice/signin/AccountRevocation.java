package org.authservice.signin;

import java.util.List;
import java.util.Optional;
import org.authservice.database.Transaction;
import org.authservice.http.Client;
import org.authservice.otp.Otps;
import org.authservice.ratelimit.Devices;
import org.authservice.session.Sessions;

/**
 * Ends everything that an account's credentials have opened or could still open: sessions, device
 * tokens, pending codes of every purpose, reset tokens, and what is attached. The caller holds the
 * lock on the account's row and raises its credentials version.
 */
final class AccountRevocation {
  private final Sessions sessions;
  private final Devices devices;
  private final Otps otps;
  private final List<Attachment> attachments;
  private final ResetTokenStore resetTokens = new ResetTokenStore();

  AccountRevocation(Sessions sessions, Devices devices, Otps otps, List<Attachment> attachments) {
    this.sessions = sessions;
    this.devices = devices;
    this.otps = otps;
    this.attachments = attachments;
  }

  void revokeAll(Transaction tx, long userId, Client client) {
    revokeAllBut(tx, userId, Optional.empty(), Optional.empty(), client);
  }

  void revokeAllBut(
      Transaction tx,
      long userId,
      Optional<String> sessionId,
      Optional<String> deviceId,
      Client client) {
    sessions.endAll(tx, userId, sessionId, client);
    devices.endAll(tx, userId, deviceId);
    otps.endAll(tx, userId);
    tx.send(resetTokens.deleteAll(userId));
    attachments.forEach(it -> it.endAll(tx, userId));
  }
}
