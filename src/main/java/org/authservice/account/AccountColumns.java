package org.authservice.account;

import org.authservice.database.Statement;

/** The columns of {@code users} that make an {@link Account}, for a store that reads one too. */
public final class AccountColumns {
  /** Under names that no other table's columns have. */
  static final String ALL =
      """
      users.id AS account_id, email AS account_email, hashed_password AS account_password,
      is_active AS account_active, is_verified AS account_verified, full_name AS account_name,
      users.created_at AS account_created_at, updated_at AS account_updated_at,
      password_confirmed AS account_password_confirmed,
      credentials_version AS account_credentials, tokens_valid_from AS account_tokens_from
      """;

  private AccountColumns() {}

  /** For the list after {@code SELECT}, where {@code users} is joined under its own name. */
  public static String list() {
    return ALL;
  }

  /** The account of a row with those columns. */
  public static Statement.RowReader<Account> reader() {
    return AccountStore::account;
  }
}
