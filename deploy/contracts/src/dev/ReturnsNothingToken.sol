// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BareToken} from "./BareToken.sol";

/// Development only: moves money but returns nothing, as USDT does on Ethereum.
contract ReturnsNothingToken is BareToken {
    constructor(string memory name_, string memory symbol_) BareToken(name_, symbol_) {}

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        _spendAllowance(from, msg.sender, amount);
        _move(from, to, amount);
    }

    function approve(address spender, uint256 amount) external {
        _allow(msg.sender, spender, amount);
    }
}
