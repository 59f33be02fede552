// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// What stands at a deposit address, as a minimal proxy (EIP-1167). It has one duty and no state:
/// whatever it holds can go to the vault and nowhere else, whoever asks. The vault is fixed in the
/// code that the proxies share.
contract Forwarder {
    using SafeERC20 for IERC20;

    address public immutable vault;

    error NothingToFlush();

    constructor(address vault_) {
        vault = vault_;
    }

    /// Sends the whole balance of a token to the vault and returns it; reverts when it is zero or
    /// cannot be sent. The zero address stands for native currency, which a payer may have sent
    /// before the proxy was deployed.
    function flush(address token) external returns (uint256 amount) {
        amount =
            token == address(0) ? address(this).balance : IERC20(token).balanceOf(address(this));
        if (amount == 0) revert NothingToFlush();
        if (token == address(0)) {
            Address.sendValue(payable(vault), amount);
        } else {
            IERC20(token).safeTransfer(vault, amount);
        }
    }
}
