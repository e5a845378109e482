/** One-time codes: sent within their budgets, counted before they are compared, spent once. */
@NullMarked
package org.authservice.otp;

import org.jspecify.annotations.NullMarked;
