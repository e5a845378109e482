package org.authservice.account;

/**
 * How an account that has not proven its mailbox was registered.
 *
 * @param codeId the code that registering mailed; empty text when none was
 * @param deviceId the device that registered
 * @param clientKey the HMAC of the address that registered
 */
public record Registration(String codeId, String deviceId, String clientKey) {}
