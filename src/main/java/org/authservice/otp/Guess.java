package org.authservice.otp;

import java.util.Optional;
import org.authservice.http.Client;
import org.authservice.secret.Secret;

/**
 * An attempt to enter a code.
 *
 * @param addressKey the HMAC of the address
 * @param userId the account with that address
 * @param mailbox where a warning about too many guesses goes
 * @param purpose what the code is to be good for
 * @param digits six ASCII digits
 * @param otpId the request the code must be of; empty: the newest code of that purpose
 * @param client who guesses
 * @param knownDevice whether the request carries a good device token of the account
 */
public record Guess(
    String addressKey,
    Optional<Long> userId,
    Optional<String> mailbox,
    Purpose purpose,
    Secret digits,
    Optional<String> otpId,
    Client client,
    boolean knownDevice) {}
