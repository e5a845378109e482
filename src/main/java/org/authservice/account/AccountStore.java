package org.authservice.account;

import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import org.authservice.database.Row;
import org.authservice.database.Statement;

/** All SQL on {@code users}. */
final class AccountStore {
  private static final String COLUMNS = AccountColumns.ALL;

  /** The exact spelling wins: an old database may hold two that differ in case. */
  Statement<Optional<Account>> byAddress(EmailAddress address) {
    return Statement.row(
            "SELECT "
                + COLUMNS
                + """
                FROM users WHERE email = ? OR lower(email) = ?
                ORDER BY CASE WHEN email = ? THEN 0 ELSE 1 END, id LIMIT 1
                """,
            p -> p.text(address.typed()).text(address.normalised()).text(address.typed()),
            AccountStore::account)
        .gathered(
            "SELECT item, u.* FROM unnest(?::varchar[], ?::varchar[], ?::varchar[])"
                + " WITH ORDINALITY AS asked (typed, normalised, again, item) JOIN LATERAL (SELECT "
                + COLUMNS
                + """
                FROM users WHERE email = asked.typed OR lower(email) = asked.normalised
                ORDER BY CASE WHEN email = asked.again THEN 0 ELSE 1 END, id LIMIT 1) u ON true
                """,
            address.typed());
  }

  Statement<Optional<Account>> byId(long id) {
    return Statement.row(
            "SELECT " + COLUMNS + " FROM users WHERE id = ?",
            p -> p.number(id),
            AccountStore::account)
        .gathered(
            "SELECT item, "
                + COLUMNS
                + "FROM unnest(?::bigint[]) WITH ORDINALITY AS asked (asked_id, item)"
                + " JOIN users ON users.id = asked_id",
            Long.toString(id));
  }

  Statement<Optional<Account>> lock(long id) {
    return Statement.row(
        "SELECT " + COLUMNS + " FROM users WHERE id = ? FOR NO KEY UPDATE",
        p -> p.number(id),
        AccountStore::account);
  }

  /** No row when the address is taken in any spelling. */
  Statement<Optional<Account>> insert(
      EmailAddress address,
      Optional<String> hashedPassword,
      Optional<String> fullName,
      boolean verified,
      Instant now) {
    return Statement.row(
        """
        INSERT INTO users
          (email, hashed_password, is_active, is_verified, full_name, created_at, updated_at,
           credentials_version, tokens_valid_from, password_confirmed)
        SELECT ?, ?, true, ?, ?, ?, ?, 0, ?, true
        WHERE NOT EXISTS (SELECT 1 FROM users WHERE lower(email) = ?)
        ON CONFLICT (email) DO NOTHING
        RETURNING
        """
            + COLUMNS,
        p ->
            p.text(address.normalised())
                .text(hashedPassword)
                .flag(verified)
                .text(fullName)
                .timestamp(now)
                .timestamp(now)
                .millis(now)
                .text(address.normalised()),
        AccountStore::account);
  }

  Statement<Optional<Account>> rename(long id, Optional<String> fullName, Instant now) {
    return Statement.row(
        "UPDATE users SET full_name = ?, updated_at = ? WHERE id = ? AND is_active RETURNING "
            + COLUMNS,
        p -> p.text(fullName).timestamp(now).number(id),
        AccountStore::account);
  }

  Statement<Integer> upgradeHash(long id, String from, String to) {
    return Statement.count(
        "UPDATE users SET hashed_password = ? WHERE id = ? AND hashed_password = ?",
        p -> p.text(to).number(id).text(from));
  }

  Statement<Integer> markVerified(long id, Instant now) {
    return Statement.count(
        "UPDATE users SET is_verified = true, updated_at = ? WHERE id = ? AND NOT is_verified",
        p -> p.timestamp(now).number(id));
  }

  /** The proven owner takes over: what another may have set no longer counts. */
  Statement<Integer> passToProver(long id, Instant now) {
    return Statement.count(
        """
        UPDATE users SET full_name = NULL, google_id = NULL,
          locale = '', password_confirmed = (hashed_password IS NULL),
          credentials_version = credentials_version + 1, tokens_valid_from = ?, updated_at = ?
        WHERE id = ?
        """,
        p -> p.millis(now).timestamp(now).number(id));
  }

  Statement<Integer> setLanguages(long id, String languages) {
    return Statement.count(
        "UPDATE users SET locale = ? WHERE id = ?", p -> p.text(languages).number(id));
  }

  Statement<Integer> confirmPassword(long id, Instant now) {
    return Statement.count(
        "UPDATE users SET password_confirmed = true, updated_at = ? WHERE id = ?",
        p -> p.timestamp(now).number(id));
  }

  Statement<Integer> setPassword(long id, String hash, Instant now) {
    return Statement.count(
        """
        UPDATE users SET hashed_password = ?, password_confirmed = true,
          credentials_version = credentials_version + 1, tokens_valid_from = ?, updated_at = ?
        WHERE id = ?
        """,
        p -> p.text(hash).millis(now).timestamp(now).number(id));
  }

  Statement<Integer> raiseCredentials(long id, Instant now) {
    return Statement.count(
        """
        UPDATE users SET credentials_version = credentials_version + 1, tokens_valid_from = ?
        WHERE id = ?
        """,
        p -> p.millis(now).number(id));
  }

  Statement<Integer> endLegacyTokens(long id, Instant now) {
    return Statement.count(
        "UPDATE users SET tokens_valid_from = ? WHERE id = ?", p -> p.millis(now).number(id));
  }

  Statement<Integer> setActive(long id, boolean active, Instant now) {
    return Statement.count(
        "UPDATE users SET is_active = ?, updated_at = ? WHERE id = ? AND is_active <> ?",
        p -> p.flag(active).timestamp(now).number(id).flag(active));
  }

  /** What remains keeps the id taken and says nothing of a person. */
  Statement<Integer> erase(long id, String placeholder, Instant now) {
    return Statement.count(
        """
        UPDATE users SET email = ?, hashed_password = NULL, google_id = NULL, full_name = NULL,
          locale = '', is_active = false, is_verified = false, updated_at = ?
        WHERE id = ?
        """,
        p -> p.text(placeholder).timestamp(now).number(id));
  }

  Statement<Integer> insertRegistration(long userId, Registration registration) {
    return Statement.count(
        """
        INSERT INTO registrations (user_id, code_id, device_id, client_key) VALUES (?, ?, ?, ?)
        """,
        p ->
            p.number(userId)
                .text(registration.codeId())
                .text(registration.deviceId())
                .text(registration.clientKey()));
  }

  Statement<Optional<Registration>> takeRegistration(long userId) {
    return Statement.row(
        """
        DELETE FROM registrations WHERE user_id = ? RETURNING code_id, device_id, client_key
        """,
        p -> p.number(userId),
        row ->
            new Registration(row.text("code_id"), row.text("device_id"), row.text("client_key")));
  }

  /** Whether a user table holds hashes of both schemes. */
  Statement<Optional<Boolean>> anyHashOutside(String prefix) {
    return Statement.row(
        """
        SELECT 1 AS found FROM users
        WHERE hashed_password IS NOT NULL AND hashed_password NOT LIKE ? LIMIT 1
        """,
        p -> p.text(prefix + "%"),
        row -> row.integer("found") == 1);
  }

  static Profile profile(Row row) throws SQLException {
    return new Profile(
        row.number("account_id"),
        row.text("account_email"),
        row.optionalText("account_name"),
        row.flag("account_active"),
        row.flag("account_verified"),
        row.timestamp("account_created_at"),
        row.timestamp("account_updated_at"));
  }

  static Account account(Row row) throws SQLException {
    return new Account(
        profile(row),
        row.optionalText("account_password"),
        row.flag("account_password_confirmed"),
        row.integer("account_credentials"),
        row.millis("account_tokens_from"));
  }
}
