// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// Development only: keeps one percent of every transfer, so that less arrives than was sent. It
/// logs the two parts as two transfers. Anyone may mint, free of the fee.
contract FeeToken is ERC20 {
    uint256 public constant FEE_BASIS_POINTS = 100;
    address public immutable collector;

    constructor(string memory name_, string memory symbol_, address collector_)
        ERC20(name_, symbol_)
    {
        collector = collector_;
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        bool free = from == address(0) || to == address(0);
        uint256 fee = free ? 0 : value * FEE_BASIS_POINTS / 10_000;
        super._update(from, to, value - fee);
        if (fee > 0) super._update(from, collector, fee);
    }
}
