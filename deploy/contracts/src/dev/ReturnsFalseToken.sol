// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BareToken} from "./BareToken.sol";

/// Development only: refuses by returning false where others revert. Only mint moves money.
contract ReturnsFalseToken is BareToken {
    constructor(string memory name_, string memory symbol_) BareToken(name_, symbol_) {}

    function transfer(address, uint256) external pure returns (bool) {
        return false;
    }

    function transferFrom(address, address, uint256) external pure returns (bool) {
        return false;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        _allow(msg.sender, spender, amount);
        return true;
    }
}
